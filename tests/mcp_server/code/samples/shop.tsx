import React from "react";

type Props = { title: string };

export function Button({ title }: Props) {
  return <button onClick={() => press(title)}>{title}</button>;
}

export const Page: React.FC<Props> = ({ title }) => {
  return (
    <Layout>
      <Button title={title} />
      <Menu.Entry />
    </Layout>
  );
};

class Old extends React.Component<Props> {
  render() {
    return <div />;
  }
}
